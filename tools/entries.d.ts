export function bundleEntries(folder?: string): Promise<Record<string, string[]>>
