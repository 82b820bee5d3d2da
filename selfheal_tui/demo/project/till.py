"""Prices as people write them, and their sum."""


def parse_price(text):
    """The amount in cents: parse_price("12.30") is 1230."""
    whole, _, fraction = text.strip().partition(".")
    return int(whole) * 100 + int(fraction or 0)


def total(prices):
    """The sum of all prices in cents; a leading minus is money given back."""
    return sum(parse_price(price) for price in prices)
