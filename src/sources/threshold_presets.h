// SPDX-License-Identifier: Apache-2.0
// The thresholds that are there without being configured, as TOML. Private to `threshold`.
#pragma once

extern const char threshold_presets[];
