/** Frame, home, invitation. */
export default {
  app: { name: '개발자 포털' },
  optional: '선택 사항',
  missing: { title: '존재하지 않는 주소입니다' },
  footer: '{title}, Gatehouse 기반',
  nav: { apis: 'API', apps: '애플리케이션', search: '오퍼레이션과 문서 검색', operations: '{api} 오퍼레이션' },
  home: {
    title: 'API를 찾고, 읽고, 시험하고, 개발에 활용하십시오.',
    search: 'API, 오퍼레이션, 경로, 스키마 검색',
    find: '검색',
    hint: '예: “주문 생성” 또는 /orders/{\'{\'}id{\'}\'} 같은 경로',
    closed: '초대받은 사람만 이용할 수 있는 포털입니다. API를 보려면 로그인하십시오.',
    own: '내 애플리케이션',
    ownAll: '모든 애플리케이션',
    begin: '시작하는 방법',
    all: '모든 API',
    steps: {
      1: { title: 'API 선택', text: '무엇을 하는 API인지 읽고, 페이지에서 바로 오퍼레이션을 시험합니다.' },
      2: { title: '애플리케이션 구독', text: '프로그램의 이름을 정하고 플랜을 선택합니다. 키는 바로, 또는 소유자가 승인하는 대로 발급됩니다.' },
      3: { title: '호출', text: '헤더에 키를 담아 보냅니다. 호출 내역과 거부된 이유를 확인할 수 있습니다.' },
    },
  },
  status: { active: '활성', pending: '대기 중', paused: '일시 중지', rejected: '거절됨', closed: '종료됨' },
  invite: {
    title: '초대 수락',
    text: '{organization} 조직에서 {email} 님을 초대했습니다.',
    noToken: '링크가 완전하지 않습니다. 초대에 있는 그대로 여십시오.',
    name: '이름',
    password: '비밀번호',
    passwordText: '10자 이상이거나 조직에서 요구하는 길이여야 합니다. 특수 문자를 많이 쓰는 것보다 여러 단어를 쓰는 것이 좋습니다.',
    go: '참여',
  },
}
