# SPDX-License-Identifier: Apache-2.0
"""Test kit: simulation, lockstep with the golden model, stimulus, end-to-end checks."""
