# SPDX-License-Identifier: Apache-2.0
"""What a memory promises of words that are read and written in the same cycle."""

NO_COLLISION = {"no_rw_check": 1}
"""Attributes of a memory whose read data is not used if that very word was written as it was read.

What a block RAM shows then differs from family to family. With this promise tools take the block
RAM as it is; without it they put registers and a comparator beside it, which make up the old word.
"""
