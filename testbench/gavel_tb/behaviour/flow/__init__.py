# SPDX-License-Identifier: Apache-2.0
"""Scenarios of flow control: credits and PFC, through the whole switch."""
