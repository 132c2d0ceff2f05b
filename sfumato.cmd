@echo off
rem Starts Sfumato; builds it first if that was not done yet.
setlocal
set "HOME_DIR=%~dp0"
set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
"%JAVA%" -version >nul 2>nul || (echo sfumato: no Java found: install a JDK, 17 or newer, or set JAVA_HOME>&2& exit /b 1)
"%JAVA%" --list-modules >nul 2>nul || (echo sfumato: this Java is too old: install a JDK, 17 or newer, or set JAVA_HOME>&2& exit /b 1)
if exist "%HOME_DIR%cli\target\lib" goto run
where mvn >nul 2>nul || (echo sfumato: Maven is needed to build Sfumato: install Maven, 3.8 or newer>&2& exit /b 1)
echo sfumato: building, which happens once ...>&2
pushd "%HOME_DIR%"
call mvn -q -B -DskipTests package 1>&2 || (popd & echo sfumato: the build failed, see above>&2& exit /b 1)
popd
:run
if not defined SFUMATO_JAVA_OPTS set "SFUMATO_JAVA_OPTS=-Xmx512m"
if not defined OMP_WAIT_POLICY set "OMP_WAIT_POLICY=PASSIVE"
"%JAVA%" %SFUMATO_JAVA_OPTS% -Xshare:auto --enable-native-access=ALL-UNNAMED -Djava.awt.headless=true -cp "%HOME_DIR%cli\target\*;%HOME_DIR%cli\target\lib\*" io.sfumato.cli.Main %*
exit /b %ERRORLEVEL%
