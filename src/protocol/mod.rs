//! Floor 1: the wire. Request parser, reply writer (RESP2 or RESP3 is decided here only), every error text.
