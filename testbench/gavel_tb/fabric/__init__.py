# SPDX-License-Identifier: Apache-2.0
"""Several model switches and endpoints joined by links."""
