# SPDX-License-Identifier: Apache-2.0
"""What theory says about a switch, each formula a function with its source."""
