"""A made-up organisation to try TemPhone with; everything in it is known to the whole world.

The specification's contact, campaign and key are part of it, so that its examples run as written.
"""

API_KEY = "sk_test_51_fakeapikey123456"
LOGIN = ("admin", "temphone-demo")  # the other roles have the same password
CONTACT = "ctc_12kd88"
CAMPAIGN = "camp_91ks11"
