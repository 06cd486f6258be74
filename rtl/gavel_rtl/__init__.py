# SPDX-License-Identifier: Apache-2.0
"""Gavel's hardware description in Amaranth."""
