/** Where the browsers are that tests and benchmarks drive. */
export const chromiumPath = process.env.CHROMIUM || '/usr/bin/chromium'
export const firefoxPath = process.env.FIREFOX || '/usr/bin/firefox-esr'
