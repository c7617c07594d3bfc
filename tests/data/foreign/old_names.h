/* SPDX-License-Identifier: GPL-2.0-only */
enum { OLD_SHARED = 7 };
