# SPDX-License-Identifier: Apache-2.0
"""Real workloads: Chakra traces, collectives, and the endpoints that play them."""
