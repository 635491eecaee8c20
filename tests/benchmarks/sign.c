/* SPDX-FileCopyrightText: 2026 The hardbound.identity authors
 * SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Logs in to a card through a PKCS#11 module and signs once with its first EC key: what a program needs for a logon.
 * With a number it goes on signing, and prints the seconds that each of so many took.
 *
 *     sign MODULE LABEL PIN [NUMBER]
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long number;
typedef number (*function)();
typedef struct { number type; void *value; number size; } attribute;
typedef struct { number type; void *parameter; number size; } mechanism;
typedef struct { char label[32], maker[32], model[16], serial[16]; number counts[11]; char rest[32]; } token;

/* Places in CK_FUNCTION_LIST, after its version: PKCS#11 2.40, pkcs11f.h. */
enum { INITIALIZE = 1, SLOTS = 5, TOKEN = 7, OPEN = 13, LOGIN = 19, FIND_INIT = 27, FIND, FIND_FINAL, SIGN_INIT = 43, SIGN };

static function *functions;

static void call(number rv, const char *what)
{
    if (rv) {
        fprintf(stderr, "%s: 0x%lx\n", what, rv);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + time.tv_nsec / 1e9;
}

static void sign(number session, number key)
{
    unsigned char digest[32] = {1}, signature[256];
    number size = sizeof signature;
    mechanism ecdsa = {0x1041, NULL, 0};

    call(functions[SIGN_INIT](session, &ecdsa, key), "C_SignInit");
    call(functions[SIGN](session, digest, 32UL, signature, &size), "C_Sign");
}

int main(int count, char **given)
{
    void *library = count >= 4 ? dlopen(given[1], RTLD_NOW) : NULL;
    number (*list)(function **) = library ? (number (*)(function **))dlsym(library, "C_GetFunctionList") : NULL;
    number slots[64], found = 64, slot = 0, session, key, kind = 3, curve = 3;
    attribute wanted[] = {{0, &kind, sizeof kind}, {0x100, &curve, sizeof curve}};
    struct { void *locks[4]; number flags; void *reserved; } arguments = {{NULL}, 2, NULL};
    token told;

    if (!list)
        return 2;
    call(list(&functions), "C_GetFunctionList");
    call(functions[INITIALIZE](&arguments), "C_Initialize");
    call(functions[SLOTS](1, slots, &found), "C_GetSlotList");
    for (number each = 0; each < found; each++) {
        memset(&told, 0, sizeof told);
        if (functions[TOKEN](slots[each], &told))
            continue; /* somebody else's card */
        if (!strcmp(given[2], "-") || !strncmp(told.label, given[2], strlen(given[2])))
            slot = slots[each];
    }
    call(functions[OPEN](slot, 6UL, NULL, NULL, &session), "C_OpenSession");
    call(functions[LOGIN](session, 1UL, given[3], (number)strlen(given[3])), "C_Login");
    call(functions[FIND_INIT](session, wanted, 2UL), "C_FindObjectsInit");
    call(functions[FIND](session, &key, 1UL, &found), "C_FindObjects");
    call(functions[FIND_FINAL](session), "C_FindObjectsFinal");
    if (!found)
        return 3;
    sign(session, key);
    for (long left = count > 4 ? atol(given[4]) : 0; left; left--) {
        double began = now();

        sign(session, key);
        printf("%f\n", now() - began);
    }
    return 0;
}
