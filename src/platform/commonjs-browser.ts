/** For pages tfjs has another form. */
export const lend = (): (() => void) => () => {}

export const takeBack = lend()
