# SPDX-License-Identifier: Apache-2.0
"""Proofs over the real RTL: harnesses with assertions, and the tools that decide them."""
