"""The networks that TemPhone can speak to, each behind the carrier port."""
