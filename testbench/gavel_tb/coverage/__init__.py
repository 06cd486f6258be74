# SPDX-License-Identifier: Apache-2.0
"""What a run has met: functional coverage (`bins`, `collector`) and code coverage (`verilator`,
`code`, `lcov`). docs/regress.md."""
