// SPDX-License-Identifier: Apache-2.0
// Help for people and the table of commands for programs, both from the descriptors.
#pragma once

#include "ctl/command.h"

// Of one command, or (NULL) the list of all.
void help_print(struct output *output, const struct command *command);
// `annactl --schema`: {name, version, global_options, commands}, for documentation and completion.
void help_format_schema(struct output *output);
