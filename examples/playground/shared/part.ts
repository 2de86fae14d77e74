/** One of the two parts of the page. */
export interface Part {
  /** The settings as the address tells them. */
  address(): Readonly<Record<string, string | number | boolean>>
  /** Comes into sight, or goes out of it and rests. */
  show(visible: boolean): void
  /** Space, `s` and `r`. */
  toggle(): void
  step(): void
  reset(): void
}
