import type { SettingDescription } from '../src/core/settings.ts'

export function withTables(text: string, settings: Readonly<Record<string, readonly SettingDescription[]>>): string
