"""What every operation of the HTTP interface answers to those who should not get in.

One row an operation, by its ``operationId``: (nobody, a token of the owner without the scope, another tenant).
A new route fails the walk until it has a row here. The walk calls with the owner's identifiers in the path, an empty
JSON object or no bytes as body, and a fresh Idempotency-Key, so 400 says: this caller got in, and the body was refused.
"""

from __future__ import annotations

OPEN = (200, 200, 200)  # for everybody

WALK: dict[str, tuple[int, int, int]] = {
    # health
    "getWelcome": OPEN,
    "getLive": OPEN,
    "getReady": OPEN,
    "getMetrics": OPEN,
    "getDescription": OPEN,
    # log
    "getCheckpoint": OPEN,
    "getLogKey": OPEN,
    "getLogKeys": OPEN,
    "getTile": OPEN,
    # accounts
    "createAccount": (400, 400, 400),
    "getRegistry": OPEN,
    "getMe": (401, 200, 200),
    "createToken": (401, 403, 400),
    "listTokens": (401, 403, 200),
    "listKeys": (401, 403, 200),
    "addKey": (401, 403, 400),
    "rotateKey": (401, 403, 400),
    "revokeKey": (401, 403, 400),
    "delegate": (401, 403, 400),
    "listDelegations": (401, 403, 200),
    "keepRecoveryCodes": (401, 403, 400),
    "recoverAccount": (400, 400, 400),
    "listEvents": (401, 403, 200),
    "exportAccount": (401, 403, 200),
    "eraseAccount": (401, 403, 403),
    # claims
    "createClaim": (401, 403, 400),
    "listClaims": (401, 403, 200),
    "getClaim": (401, 403, 404),
    "checkClaim": (401, 403, 404),
    "dropClaim": (401, 403, 404),
    # passkeys
    "passkeyOptions": (400, 400, 400),
    "draftPasskey": (400, 400, 400),
    "signInOptions": OPEN,
    "signIn": (400, 400, 400),
    "stepUpOptions": (401, 403, 200),
    "stepUp": (401, 403, 400),
    "signOut": (401, 403, 204),
    "revokeToken": (401, 403, 404),
    "getStatementFile": OPEN,
    "getStatementReceipt": OPEN,
    # works and consent
    "uploadPicture": (401, 403, 400),
    "getThumbnail": (401, 403, 404),
    "registerWorks": (401, 403, 400),
    "listWorks": (401, 403, 200),
    "getWork": (401, 403, 404),
    "changeWork": (401, 403, 404),
    "findWorks": (401, 403, 200),
    "changeWorks": (401, 403, 400),
    "draftStatement": (401, 403, 400),
    "submitStatement": (401, 403, 400),
    "attestStatement": (401, 403, 400),
    "listStatements": (401, 403, 200),
    # terms where crawlers read
    "getWorkTerms": (404, 404, 404),
    "getWorkTermsRsl": (404, 404, 404),
    "getWorkTermsTdmrep": (404, 404, 404),
    "getWorkTermsTdmPolicy": (404, 404, 404),
    "getWorkTermsOdrl": (404, 404, 404),
    "getWorkTermsCawg": (404, 404, 404),
    "getWorkTermsCroissant": (404, 404, 404),
    "getWorkTermsXmp": (404, 404, 404),
    "getRobots": OPEN,
    "getAiTxt": OPEN,
    "getTdmrep": OPEN,
    # splits
    "proposeSplit": (401, 403, 400),
    "answerSplit": (401, 403, 400),
    "listSplits": (401, 403, 200),
    "getSplit": (401, 403, 404),
    # disputes
    "openDispute": (401, 403, 400),
    "listDisputes": (401, 403, 200),
    "getDispute": (401, 403, 404),
    "stepDispute": (401, 403, 400),
    # agreements
    "requestLicence": (401, 403, 400),
    "listLicenceRequests": (401, 403, 200),
    "getLicenceRequest": (401, 403, 404),
    "answerLicenceRequest": (401, 403, 400),
    "reportRevenue": (401, 403, 400),
    "listRevenueReports": (401, 403, 200),
    "listAwaitedRevenueReports": (401, 403, 200),
    "getRevenueReport": (401, 403, 404),
    "listShares": (401, 403, 400),
    # duties
    "getRevocation": (401, 403, 404),
    "revokeLicence": (401, 403, 400),
    "listDuties": (401, 403, 200),
    "getDuty": (401, 403, 404),
    "reportDutyDone": (401, 403, 400),
    # snapshots
    "getSnapshot": OPEN,
    "getStates": (400, 400, 400),  # no works named
    "getSegment": (404, 404, 404),
    # licensing
    "query": (400, 400, 400),
    "lookup": (400, 400, 400),
    "queryUrls": (401, 403, 400),
    "issueLicenceToken": (400, 400, 400),  # who asks stands in the form, too
    "introspectLicenceToken": (400, 400, 400),
    "lookupParts": (400, 400, 400),
    "getRangeSize": OPEN,
    "getRange": OPEN,
    "createQuote": (401, 403, 400),
    "listQuotes": (401, 403, 200),
    "getQuote": (401, 403, 404),
    "acceptQuote": (401, 403, 400),
    "listLicences": (401, 403, 200),
    "getLicence": (401, 403, 404),
    # usage and ledger
    "logDataset": (401, 403, 400),
    "listDatasets": (401, 403, 200),
    "logRun": (401, 403, 400),
    "listRuns": (401, 403, 200),
    "submitUsage": (401, 403, 400),
    "listUsage": (401, 403, 200),
    "getBalance": (401, 403, 200),
    "listEntries": (401, 403, 200),
    # register
    "describeModel": (401, 403, 400),
    "listModels": (401, 403, 200),
    "getModel": (401, 403, 404),
    "listModelVersions": (401, 403, 404),
    "getDataset": (401, 403, 404),
    "listRegisteredModels": OPEN,
    "getRegisteredModel": (404, 404, 404),
    "listRegisteredVersions": (404, 404, 404),
    "listRegisteredDatasets": OPEN,
    "getRegisteredDataset": (404, 404, 404),
    "listRegisteredRuns": OPEN,
    "getRegisteredStatement": (400, 400, 400),  # an account's genesis is none of the register's
    # settlement
    "listInvoices": (401, 403, 200),
    "getInvoice": (401, 403, 404),
    "listInvoiceLines": (401, 403, 404),
    "listPeriods": OPEN,
    "getPeriodLine": (401, 403, 404),
    "listPeriodBatches": (401, 403, 404),
    "setPayout": (401, 403, 400),
    "getPayout": (401, 403, 200),
    "listRemittances": (401, 403, 200),
    "listCharges": (401, 403, 200),
    "listRemittanceLines": (401, 403, 404),
    # audit
    "getAuditBundle": (401, 403, 400),
    "exportAudit": (401, 403, 400),
    "stateFinding": (401, 403, 403),
    "listFindings": (401, 403, 200),
    "getFinding": (401, 403, 404),
}
