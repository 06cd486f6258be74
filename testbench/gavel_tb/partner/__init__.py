# SPDX-License-Identifier: Apache-2.0
"""The device at the far end of a port with link-level retry, and the check of the near one."""
