# SPDX-License-Identifier: Apache-2.0
"""Parts that know nothing of switches: CRC, arbitration, one-hot vectors."""
