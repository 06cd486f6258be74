# SPDX-License-Identifier: Apache-2.0
"""Units of work over processes and machines (docs/farm.md).

`unit` says what a unit is, `dispatch.run` runs a list of them, `journal` keeps what came out,
`local_pool` and `dask_pool` are the places where they run, `shipping` takes builds there.
"""
