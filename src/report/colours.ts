// Blue, vermilion, orange and sky blue of Okabe and Ito, apart for every kind of colour blindness and in grey.
export const BLUE = '#0072b2'
export const VERMILION = '#d55e00'
export const ORANGE = '#e69f00'
export const SKY = '#56b4e9'
export const BAND = '#c3dcec'
export const FAINT = '#7b8590'
export const TEXT = '#3d444d'
export const RULE = '#e6e9ed'

// Okabe and Ito's, the first ones as far apart as they go.
const COLORS = [BLUE, VERMILION, '#009e73', ORANGE, SKY, '#cc79a7', '#8a6d3b', FAINT]

export const colorOf = (variant: number) => COLORS[variant % COLORS.length]

/** From poor to good. */
export const HEAT = ['#08264a', '#0b4f85', '#3c8dbd', '#a6cee3', '#f7fafc']
