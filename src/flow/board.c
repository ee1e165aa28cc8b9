// SPDX-License-Identifier: Apache-2.0
// The list of pins; see board.h.
#include "flow/board.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

struct board {
	struct list list;
};

struct board *board_create(void) {
	struct board *board = xmalloc(sizeof(*board));
	list_init(&board->list);
	return board;
}

void board_destroy(struct board *board) {
	free(board);
}

void board_pin(struct board *board, struct pin *pin) {
	list_add_last(&board->list, &pin->node);
}

void board_unpin(struct pin *pin) {
	if (pin->node.next) {
		list_remove(&pin->node);
	}
}

void board_each_figure(struct board *board, figure_fn *on_figure, void *arg) {
	list_for_each (node, &board->list) {
		struct pin *pin = list_item(node, struct pin, node);
		if (pin->figures) {
			pin->figures(pin->arg, on_figure, arg);
		}
	}
}

static bool is_about(const struct pin *pin, const struct figure *figure) {
	size_t n = pin->name ? strlen(pin->name) : 0;
	return n == 0 || (strncmp(figure->name, pin->name, n) == 0 && figure->name[n] == '.');
}

bool board_find_culprit(struct board *board, const struct figure *figure, struct culprit *out) {
	*out = (struct culprit){.kind = ""};
	list_for_each (node, &board->list) {
		struct pin *pin = list_item(node, struct pin, node);
		if (pin->culprit && is_about(pin, figure) && pin->culprit(pin->arg, figure, out)) {
			return true;
		}
	}
	return false;
}

bool board_write_view(
	struct board *board, const char *name, struct json_writer *out, struct err *err) {
	list_for_each (node, &board->list) {
		struct pin *pin = list_item(node, struct pin, node);
		if (pin->view && strcmp(pin->name, name) == 0) {
			return pin->view(pin->arg, out, err);
		}
	}
	return err_set(err, ERR_NOT_FOUND,
		"no part of Anna that is switched on offers %s; see annactl capabilities", name);
}
