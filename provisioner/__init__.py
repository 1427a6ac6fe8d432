"""Office 365 mail on a phone from one QR code: facts × formats = documents."""

__version__ = "0.1.0"
