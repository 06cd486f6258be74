# SPDX-License-Identifier: Apache-2.0
"""The register map in SystemRDL: read, and turned into a table and a reference.

Needs the extra ``registers``.
"""
