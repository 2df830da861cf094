"""What the benchmarks of spoken calls share: callees made of files, the line that they are on, the engines.

They need the voice installation, and espeak-ng for more voices where it is there.
"""
