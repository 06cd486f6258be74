# SPDX-License-Identifier: Apache-2.0
"""The golden model compiled: the same cycles and bits as `gavel_model`, over arrays."""
