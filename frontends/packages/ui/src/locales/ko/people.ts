/** Acting as somebody else, choosing rows, and other ways in. */
export default {
  impersonation: {
    title: '다른 사용자로 작업 중',
    text: '{by} 님이 {name} 사용자로 작업하고 있습니다.',
    left: '1분 안에 종료됩니다. | {n}분 후 종료됩니다.',
    stop: '중단',
  },
  list: { select: '{name} 선택', selectPage: '이 페이지 모두 선택' },
  brand: { help: '도움말', terms: '이용 약관', privacy: '개인정보 처리방침', with: '{product} 기반' },
  signIn: {
    useBreakGlass: '비상 계정으로 로그인',
    breakGlassHelp: '이곳에서는 비상 계정만 비밀번호로 로그인합니다.',
    alsoElsewhere: '{name} 계정으로 로그인',
    invitedElsewhere: '{name} 계정으로 로그인하므로 비밀번호를 정할 필요가 없습니다.',
    failed: { 'organization-full': '조직의 사용자 수가 한도에 도달하여 로그인하지 못했습니다. 관리자에게 문의하십시오.' },
  },
}
