// SPDX-License-Identifier: Apache-2.0
// Whether the HTTP listener is where it was asked to be: a busy port takes metrics away.
#include "doctor/check.h"

static void examine(const struct patient *patient, struct findings *out) {
	const struct value *part;
	for (size_t i = 0; (part = patient_item(patient, "capabilities.capabilities", i)); i++) {
		struct str reason = value_text(part, "reason");
		if (str_is(value_text(part, "name"), "http") &&
			str_is(value_text(part, "state"), "failed")) {
			found(out, NULL, "/metrics and /healthz are not to be had");
			found_at(out, "capabilities", "%" STR_FMT, STR_ARG(reason));
		}
	}
}

DEFINE_CHECK(http_off) = {
	.id = "http-off",
	.title = "the HTTP address",
	.severity = SEVERITY_WARNING,
	.needs = NEEDS("capabilities.capabilities", "status"),
	.examine = examine,
	.fix = "ss -ltnp shows who has the port; stop that or set http.address, then annactl "
	       "reload",
};
