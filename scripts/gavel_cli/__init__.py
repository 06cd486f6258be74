# SPDX-License-Identifier: Apache-2.0
"""Gavel's command line: one verb a file, each thin over the packages below it."""
