"""Where proofs take place: whole installations, fake gateways, networks and phones, people to call."""
