"""What translators stand on: every text of the product in one list, a catalogue for each language, and its judge.

Written and compiled by Babel, which the product itself never imports. GNU gettext manual, section 10 (PO and MO files).
"""
