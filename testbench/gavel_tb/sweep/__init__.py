# SPDX-License-Identifier: Apache-2.0
"""Sweeps: compiled traffic over blocks of cycles, its measurement, and plans of many points."""
