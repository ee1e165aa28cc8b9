// SPDX-License-Identifier: Apache-2.0
// Reading package databases into facts: key "dpkg NAME:ARCHITECTURE" or "pacman NAME", value the
// version; for rpm, whose database is not read, "rpm" with what changes when it is written.
// Private to `packages`. Blocking: for jobs.
#pragma once

#include "sources/facts.h"

enum package_folder {
	FOLDER_DPKG,
	FOLDER_PACMAN,
	FOLDER_RPM,
	FOLDER_RPM_NEW,
	PACKAGE_FOLDERS
};
extern const char *const package_folders[PACKAGE_FOLDERS]; // absolute, below the root

// Every database that is there below root ("" or a folder).
void packages_read(const char *root, struct facts *out, struct buf *trouble);
// Of the text of dpkg's status file (deb-control(5), dpkg-query(1)): what is installed.
void packages_parse_dpkg(struct str text, struct facts *out);
// Of the name of a folder in pacman's local database: "name-version-release".
void packages_parse_pacman(struct str name, struct facts *out);
