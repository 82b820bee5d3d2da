import unittest

from till import parse_price, total


class ParsePrice(unittest.TestCase):
    def test_two_digits_after_the_point_are_cents(self):
        self.assertEqual(parse_price("12.30"), 1230)

    def test_one_digit_after_the_point_is_tens_of_cents(self):
        self.assertEqual(parse_price("12.3"), 1230)

    def test_no_point_is_whole_units(self):
        self.assertEqual(parse_price(" 7 "), 700)


class Total(unittest.TestCase):
    def test_money_given_back_is_subtracted(self):
        self.assertEqual(total(["5.00", "-0.50"]), 450)


if __name__ == "__main__":
    unittest.main()
