// What is on the page as a program: shown in a dialog, and copied.
import { byId, write } from './page.ts'

const text = () => byId<HTMLTextAreaElement>('code-text')

/** Makes the button of a part show its program. */
export function offerCode(button: string, program: () => string): void {
  byId(button).addEventListener('click', () => {
    text().value = program()
    write('code-copied', '')
    byId<HTMLDialogElement>('code').showModal()
  })
}

/** What the dialog's own buttons do, once for the page. */
export function prepareCode(): void {
  const dialog = byId<HTMLDialogElement>('code')
  byId('code-close').addEventListener('click', () => dialog.close())
  // Beside the dialog is its backdrop.
  dialog.addEventListener('click', ({ target }) => target === dialog && dialog.close())
  byId('code-copy').addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText(text().value)
      write('code-copied', 'Copied')
    } catch {
      // Without permission it is one key away.
      text().select()
      write('code-copied', 'Selected: copy it by the keys of your system')
    }
  })
}
