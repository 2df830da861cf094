"""Every change to a call that a person, a program or a carrier can cause, as a verb."""
