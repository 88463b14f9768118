"""The web page in a real browser, on the whole real stack."""
