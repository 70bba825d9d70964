"""Values, laws and decisions: no I/O, no clock, no logging, nothing imported but `idna` and `re2`."""
