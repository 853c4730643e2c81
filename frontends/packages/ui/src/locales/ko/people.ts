/** Acting as somebody else, choosing rows, and other ways in. */
export default {
  impersonation: {
    title: '다른 사용자로 작업 중',
    text: '{by} 님이 {name} 사용자로 작업하고 있습니다.',
    left: '1분 안에 종료됩니다. | {n}분 후 종료됩니다.',
    stop: '중단',
  },
  list: { select: '{name} 선택', selectPage: '이 페이지 모두 선택' },
  csv: {
    label: 'CSV',
    title: '이 목록의 모든 행을 스프레드시트용 파일로 저장',
    stop: '중지',
    rows: '{n}행 읽음',
    done: '파일에 {n}행을 저장했습니다.',
    cut: '처음 {n}행을 파일에 저장했습니다',
    cutOf: '목록은 모두 {all}행입니다. 브라우저는 최대 {n}행까지, 명령줄은 모든 행을 읽습니다.',
    cutText: '목록에 행이 더 있습니다. 브라우저는 최대 {n}행까지, 명령줄은 모든 행을 읽습니다.',
    all: '터미널에서 모든 행 받기',
  },
  brand: { help: '도움말', terms: '이용 약관', privacy: '개인정보 처리방침', with: '{product} 기반' },
  signIn: {
    useBreakGlass: '비상 계정으로 로그인',
    breakGlassHelp: '이곳에서는 비상 계정만 비밀번호로 로그인합니다.',
    alsoElsewhere: '{name} 계정으로 로그인',
    invitedElsewhere: '{name} 계정으로 로그인하므로 비밀번호를 정할 필요가 없습니다.',
    failed: { 'organization-full': '조직의 사용자 수가 한도에 도달하여 로그인하지 못했습니다. 관리자에게 문의하십시오.' },
  },
}
