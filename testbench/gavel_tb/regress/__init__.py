# SPDX-License-Identifier: Apache-2.0
"""The regression: a plan of what is verified by which runs, over any number of seeds
(docs/regress.md)."""
