// What a tab knows of its run when it is loaded again: sessionStorage is its own, and lasts as long as it does.
const NAME = 'steinrl-tab'
const RUN = 'steinrl-run'

type Running = 'training' | 'paused'

export const thisTab = {
  /** By which its run is kept. It begins with the time, so that names sort by age. */
  name(): string {
    const name = sessionStorage.getItem(NAME) ?? `${Date.now()} ${crypto.randomUUID()}`
    sessionStorage.setItem(NAME, name)
    return name
  },
  /** Notes that a run is under way. @param settings null: as they were */
  tell(settings: object | null, phase: string): void {
    const before = JSON.parse(sessionStorage.getItem(RUN) ?? '{}')
    const now = { settings: settings ? JSON.stringify(settings) : before.settings, phase }
    sessionStorage.setItem(RUN, JSON.stringify(now))
  },
  forget: () => sessionStorage.removeItem(RUN),
  /** How far a run of these settings was when the tab was loaded again; null where there was none. */
  running(settings: object): Running | null {
    const { settings: before, phase } = JSON.parse(sessionStorage.getItem(RUN) ?? '{}')
    return before === JSON.stringify(settings) && (phase === 'training' || phase === 'paused') ? phase : null
  },
}
