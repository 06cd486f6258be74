# SPDX-License-Identifier: Apache-2.0
"""The folder that an FPGA engineer gets: Verilog, constraints, core file, bench, README."""
