# SPDX-License-Identifier: Apache-2.0
"""What the hardware costs on FPGAs: synthesis by Yosys, place and route by nextpnr, as data."""
