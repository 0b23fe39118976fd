import { describe, expect, it } from 'vitest'
import { accountOf, runsAsText, type KnownAccounts } from '../../../src/contract/index.ts'

const known: KnownAccounts = {
  ownUid: 0,
  passwd: 'root:x:0:0:root:/root:/bin/sh\nshop:x:990:980:The shop:/var/lib/shop:/bin/false\nbroken line\n',
  groups: 'root:x:0:\nweb:x:970:shop\n',
}
const account = (user: string | null, group: string | null = null, more: Partial<KnownAccounts> = {}) =>
  accountOf({ user, group }, { ...known, ...more })

describe('whom the programs of a service run as', () => {
  it.each([
    ['shop', null, { uid: 990, gid: 980, name: 'shop', home: '/var/lib/shop' }],
    ['990', null, { uid: 990, gid: 980, name: 'shop', home: '/var/lib/shop' }],
    ['shop', 'web', { uid: 990, gid: 970, name: 'shop', home: '/var/lib/shop' }],
    ['shop', '5', { uid: 990, gid: 5, name: 'shop', home: '/var/lib/shop' }],
    ['4000', '5', { uid: 4000, gid: 5, name: null, home: null }],
  ])('%s with the group %s is one account of this machine', (user, group, expected) => {
    expect(account(user, group)).toEqual({ account: expected })
  })

  it('is Pilothouse itself where no user is named, whoever that is', () => {
    expect(account(null, null, { ownUid: 1000 })).toEqual({ account: null })
    expect(account(null, null, { ownUid: undefined })).toEqual({ account: null })
  })

  it.each([
    ['without root', account('shop', null, { ownUid: 1000 }), 'user', 'uid 1000: only root'],
    ['on a system without uids', account('shop', null, { ownUid: undefined }), 'user', 'this system cannot'],
    ['for a user that is not there', account('shopp'), 'user', 'has no such user'],
    ['for a number without a group', account('4000'), 'user', 'whose group is unknown'],
    ['for a group that is not there', account('shop', 'webb'), 'group', 'has no such group'],
    ['for a group alone', account(null, 'web'), 'group', 'without a user'],
  ])('is refused %s, with a remedy', (_when, found, setting, message) => {
    expect(found).toMatchObject({
      problem: {
        setting,
        message: expect.stringContaining(message) as string,
        hint: expect.stringMatching(/./) as string,
      },
    })
  })

  it('is written as user:group', () => {
    expect(runsAsText({ user: 'shop', group: null })).toBe('shop')
    expect(runsAsText({ user: 'shop', group: 'web' })).toBe('shop:web')
    expect(runsAsText({ user: null, group: null })).toBeNull()
  })
})
