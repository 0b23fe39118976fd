/** What the shop sells; prices in cents. */
export const products: readonly { id: string; name: string; priceCents: number }[] = [
  { id: 'compass', name: 'Brass compass', priceCents: 4900 },
  { id: 'sextant', name: 'Sextant', priceCents: 18_900 },
  { id: 'chart', name: 'Chart of the North Sea', priceCents: 2400 },
  { id: 'lantern', name: 'Deck lantern', priceCents: 3900 },
  { id: 'rope', name: 'Mooring rope, 20 m', priceCents: 2900 },
  { id: 'whistle', name: "Boatswain's whistle", priceCents: 1200 },
]
