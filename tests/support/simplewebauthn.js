// SPDX-FileCopyrightText: 2026 The hardbound.identity authors
// SPDX-License-Identifier: GPL-3.0-or-later
//
// simplewebauthn.js FOLDER: verifies a registration by npm's @simplewebauthn/server, which is in that folder, and
// prints the format. Standard input is JSON: {credential, challenge, rp, origin, statement, maker}. The relying party
// goes by that metadata statement alone, and takes TPMs of that maker too.
"use strict";
const path = require("node:path");
const text = require("node:fs").readFileSync(0, "utf8");

const home = path.join(process.argv[2], "node_modules/@simplewebauthn/server");
const {MetadataService, verifyRegistrationResponse} = require(home);
const {TPM_MANUFACTURERS} = require(path.join(home, "script/registration/verifications/tpm/constants.js"));

async function main({credential, challenge, rp, origin, statement, maker}) {
    if (maker) TPM_MANUFACTURERS[maker] = {name: maker, id: maker};
    await MetadataService.initialize({mdsServers: [], statements: [statement]});
    const {verified, registrationInfo} = await verifyRegistrationResponse({
        response: credential,
        expectedChallenge: challenge,
        expectedOrigin: origin,
        expectedRPID: rp,
        requireUserVerification: true,
    });
    if (!verified) throw new Error("not verified");
    console.log(registrationInfo.fmt);
}

main(JSON.parse(text)).catch(error => {
    console.error(error.message);
    process.exitCode = 1;
});
