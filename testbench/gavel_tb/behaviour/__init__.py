# SPDX-License-Identifier: Apache-2.0
"""Behaviour of link-level retry, one scenario each: what is done, and what must come of it."""
