// SPDX-License-Identifier: Apache-2.0
// Taking out of texts what looks like a secret, for a report that is shown to strangers. The daemon does
// not show options that are declared secret; this is for what people put elsewhere: a token in a command
// line, a password in a URL. What is taken out is replaced by "(removed)"; rather too much than too little.
#pragma once

#include "base/buf.h"
#include "formats/json.h"

// Line by line: what follows a word like password, token or authorization up to the end of the line,
// and what stands between :// and @.
void redact_text(struct str text, struct buf *out);
// A value with every string treated so, and strings under such keys left out whole.
void redact_value(const struct value *value, struct json_writer *w);
